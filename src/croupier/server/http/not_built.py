"""What a browser is shown where the page was not built."""

NOT_BUILT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Croupier</title>
<h1>Croupier</h1>
<p>The server runs, but its web page was not built. In its checkout run <code>make web</code>, then load this address
again; or install Croupier from its wheel. The API and the command line work without it.</p>
<p lang="zh">服务器正在运行，但网页尚未构建。请在源码目录中执行 <code>make web</code>，然后刷新本页；或者用 wheel 安装
Croupier。没有网页也可以使用 API 和命令行。</p>
</html>
""".encode()

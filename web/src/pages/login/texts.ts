import { texts } from "#/i18n/texts";

export const loginTexts = texts(
  {
    title: "Sign in to Croupier",
    name: "Name",
    password: "Password",
    code: "Code of your authenticator app",
    codeHint: "Six digits, or one of your recovery codes",
    signIn: "Sign in",
    by: (provider: string) => `Sign in with ${provider}`,
    or: "or",
  },
  {
    title: "登录 Croupier",
    name: "用户名",
    password: "密码",
    code: "身份验证器验证码",
    codeHint: "六位数字，或一个恢复码",
    signIn: "登录",
    by: (provider: string) => `使用 ${provider} 登录`,
    or: "或",
  },
);

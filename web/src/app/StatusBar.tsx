import { useScope } from "./scope";

export function StatusBar() {
  const { game, env } = useScope();
  return (
    <footer className="shell-status">
      <span>
        {game} {env}
      </span>
    </footer>
  );
}

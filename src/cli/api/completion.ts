import { ConfigError } from "../../app/config/config-error.ts";
import type { Command } from "../commands/command.ts";

/** Words of commands that call a server; those of this machine have options only. */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  channels: ["list", "show", "create", "delete", "on", "off", "end"],
  platforms: ["list", "add", "on", "off", "retry", "remove", "test"],
  status: ["show"],
  events: ["list", "tail"],
  keys: ["list", "create", "delete"],
  completion: ["bash", "zsh", "fish"],
};

function bash(commands: readonly string[]): string {
  const cases = Object.entries(ACTIONS).map(
    ([name, words]) => `    ${name}) COMPREPLY=($(compgen -W "${words.join(" ")}" -- "$word")) ;;`,
  );
  return [
    "_fanfare() {",
    `  local word="\${COMP_WORDS[COMP_CWORD]}"`,
    "  COMPREPLY=()",
    '  if [ "$COMP_CWORD" = 1 ]; then',
    `    COMPREPLY=($(compgen -W "${commands.join(" ")}" -- "$word"))`,
    "    return",
    "  fi",
    `  [ "$COMP_CWORD" = 2 ] && case "\${COMP_WORDS[1]}" in`,
    ...cases,
    "  esac",
    "  return 0",
    "}",
    "complete -o default -F _fanfare fanfare",
    "",
  ].join("\n");
}

function fish(commands: readonly string[]): string {
  const actions = Object.entries(ACTIONS).map(
    ([name, words]) =>
      `complete -c fanfare -n "__fish_seen_subcommand_from ${name}; and not __fish_seen_subcommand_from ${words.join(" ")}" -a "${words.join(" ")}"`,
  );
  return [`complete -c fanfare -n __fish_use_subcommand -f -a "${commands.join(" ")}"`, ...actions, ""].join("\n");
}

/** `fanfare completion bash|zsh|fish` prints what that shell loads. `commands`: all of them. */
export function completionCommand(commands: () => readonly string[]): Command {
  return async ([shell = "", ...rest]) => {
    if (rest.length > 0) throw new ConfigError("usage: fanfare completion bash|zsh|fish");
    if (shell === "bash") return bash(commands());
    // Zsh runs bash's form through its own layer.
    if (shell === "zsh") return `autoload -U +X bashcompinit && bashcompinit\n${bash(commands())}`;
    if (shell === "fish") return fish(commands());
    throw new ConfigError("usage: fanfare completion bash|zsh|fish");
  };
}

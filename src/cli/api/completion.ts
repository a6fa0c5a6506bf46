import { ConfigError } from "../../app/config/config-error.ts";
import type { Command, Completes } from "../commands/command.ts";

const SHELLS = ["bash", "zsh", "fish"];
const NOTHING: Completes = { words: [], options: [] };

/** What is completed behind each command. */
type Commands = readonly (readonly [name: string, completes: Completes])[];

function bash(commands: Commands): string {
  const caseOf = ([name, { words, options }]: Commands[number]): string =>
    `    ${name}) words="${words.join(" ")}"; options="${options.join(" ")}" ;;`;
  return [
    "_fanfare() {",
    `  local word="\${COMP_WORDS[COMP_CWORD]}" words="" options=""`,
    "  COMPREPLY=()",
    '  if [ "$COMP_CWORD" = 1 ]; then',
    `    COMPREPLY=($(compgen -W "${commands.map(([name]) => name).join(" ")}" -- "$word"))`,
    "    return",
    "  fi",
    `  case "\${COMP_WORDS[1]}" in`,
    ...commands.map(caseOf),
    "  esac",
    '  if [[ "$word" == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$word"))',
    '  elif [ "$COMP_CWORD" = 2 ]; then COMPREPLY=($(compgen -W "$words" -- "$word")); fi',
    "  return 0",
    "}",
    "complete -o default -F _fanfare fanfare",
    "",
  ].join("\n");
}

function fish(commands: Commands): string {
  const names = commands.map(([name]) => name).join(" ");
  const lines = commands.flatMap(([name, { words, options }]) => {
    const after = `__fish_seen_subcommand_from ${name}`;
    const wordLine = `complete -c fanfare -n "${after}; and not __fish_seen_subcommand_from ${words.join(" ")}" -a "${words.join(" ")}"`;
    return [
      ...(words.length === 0 ? [] : [wordLine]),
      ...options.map((option) => `complete -c fanfare -n "${after}" -l ${option.replace("--", "")}`),
    ];
  });
  return [`complete -c fanfare -n __fish_use_subcommand -f -a "${names}"`, ...lines, ""].join("\n");
}

/** `fanfare completion bash|zsh|fish` prints what that shell loads. `commands`: all of them. */
export function completionCommand(commands: Readonly<Record<string, () => Promise<Command>>>): Command {
  const run = async ([shell = "", ...rest]: readonly string[]): Promise<string> => {
    if (rest.length > 0 || !SHELLS.includes(shell))
      throw new ConfigError(`usage: fanfare completion ${SHELLS.join("|")}`);
    const all = await Promise.all(
      Object.entries(commands).map(async ([name, load]) => [name, (await load()).completes ?? NOTHING] as const),
    );
    if (shell === "fish") return fish(all);
    // Zsh runs bash's form through its own layer.
    return shell === "zsh" ? `autoload -U +X bashcompinit && bashcompinit\n${bash(all)}` : bash(all);
  };
  return Object.assign(run, { completes: { words: SHELLS, options: [] } });
}

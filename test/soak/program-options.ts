import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** The options that a program was started with. With `--help` it prints the usage and ends. */
export function programOptions<Options extends ParseArgsOptionsConfig>(usage: string, options: Options) {
  if (process.argv.includes("--help")) {
    process.stdout.write(usage);
    process.exit(0);
  }
  return parseArgs({ options }).values;
}

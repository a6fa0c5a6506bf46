/** As `engines` in package.json: npm only warns. */
const NODE_MAJOR_MIN = 24;

/** What to tell somebody who runs this with a Node that lacks what it needs; undefined where it is new enough. */
export function nodeProblem(version: string): string | undefined {
  if (Number.parseInt(version, 10) >= NODE_MAJOR_MIN) return undefined;
  return `fanfare: this is Node ${version}; Fanfare needs Node ${NODE_MAJOR_MIN} or later.\n`;
}

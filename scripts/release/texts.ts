const MANIFEST_VERSION = /^ {2}"version": "([^"]*)"/m;
/** The root package's second mention in a lock file; other packages follow it. */
const LOCK_ROOT_VERSION = /^ {4}"": \{\n {6}"name": "[^"]*",\n {6}"version": "([^"]*)"/m;
const NEXT = /^## Next\n/m;

/** The version in the text of a package.json; an empty text where it has none. */
export function versionIn(manifest: string): string {
  return MANIFEST_VERSION.exec(manifest)?.[1] ?? "";
}

/** Returns a package.json with this version. Throws where it has no version. */
export function manifestOf(manifest: string, version: string): string {
  return withVersion(manifest, MANIFEST_VERSION, version, "package.json");
}

/** Returns a package-lock.json with this version of the root package, in both places. Throws where one is missing. */
export function lockOf(lock: string, version: string): string {
  const first = withVersion(lock, MANIFEST_VERSION, version, "package-lock.json");
  return withVersion(first, LOCK_ROOT_VERSION, version, "package-lock.json");
}

/** Returns a changelog whose *Next* is this version's section, with an empty *Next* above it. */
export function changelogOf(changelog: string, version: string, date: string): string {
  return changelog.replace(NEXT, `## Next\n\n## ${version} - ${date}\n`);
}

/** What the changelog's *Next* says; undefined where there is no *Next*. */
export function nextIn(changelog: string): string | undefined {
  const [, after] = changelog.split(NEXT);
  return after?.split(/^## /m)[0]?.trim();
}

function withVersion(text: string, pattern: RegExp, version: string, file: string): string {
  if (!pattern.test(text)) throw new Error(`${file} has no version where one is expected`);
  return text.replace(pattern, (found, former: string) => found.slice(0, -former.length - 1).concat(version, '"'));
}

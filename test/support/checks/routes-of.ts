/** `METHOD /path/{id}` of every route, read from the router's own tree. */
export function routesOf(tree: string): string[] {
  const routes: string[] = [];
  const path: string[] = [];
  for (const line of tree.split("\n")) {
    const [, indent = "", part = "", methods = ""] = /^([│ ]*)[├└]── (\S+) \((.+)\)$/.exec(line) ?? [];
    if (part === "") continue;
    path.length = indent.length / 4;
    path.push(part);
    const url = path.join("").replace(/:(\w+)/g, "{$1}");
    for (const method of methods.split(", ")) routes.push(`${method} ${url}`);
  }
  return routes.sort();
}

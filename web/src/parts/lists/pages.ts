type Numbered = { readonly id: number };

/** The longest pages of the API. */
const PAGE_SIZE = 100;

/** Merges two lists, newest first, each entry once. Of an entry that is in both, the one of the first list counts. */
export function merged<Each extends Numbered>(one: readonly Each[], other: readonly Each[]): readonly Each[] {
  const byId = new Map([...other, ...one].map((each) => [each.id, each]));
  return [...byId.values()].sort((a, b) => b.id - a.id);
}

/** Reads a whole list, page by page, of at most so many pages. */
export async function readAll<Each extends Numbered>(
  readPage: (
    pageNo: number,
    pageSizeNo: number,
  ) => Promise<{ readonly items: readonly Each[]; readonly total: number }>,
  pagesMax: number,
): Promise<readonly Each[]> {
  let all: readonly Each[] = [];
  for (let pageNo = 1; pageNo <= pagesMax; pageNo += 1) {
    const { items, total } = await readPage(pageNo, PAGE_SIZE);
    all = merged(all, items);
    if (items.length < PAGE_SIZE || all.length >= total) break;
  }
  return all;
}

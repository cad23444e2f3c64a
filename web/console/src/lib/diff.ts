// What differs between two texts, word by word or line by line: the longest common subsequence.
export interface Piece {
  kind: "same" | "added" | "gone";
  text: string;
}

const MOST = 1500; // words or lines on each side; the table has the square of it

const wordsOf = (text: string) => text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];
export const wordDiff = (before: string, after: string) => diff(wordsOf(before), wordsOf(after));

const CONTEXT = 3; // lines

// Line by line, as `diff -u` writes it: what is the same is left out where nothing near it differs.
export function lineDiff(before: string, after: string): string {
  const linesOf = (text: string) => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const pieces = diff(linesOf(before), linesOf(after));
  const sign = { same: " ", added: "+", gone: "-" };
  const out = pieces.flatMap(({ kind, text }, at) => {
    const lines = text.replace(/\n$/, "").split("\n").map((one) => sign[kind] + one);
    if (kind !== "same") return lines;
    const first = at === 0 ? 0 : CONTEXT;
    const last = at === pieces.length - 1 ? 0 : CONTEXT;
    if (lines.length <= first + last) return lines;
    return [...lines.slice(0, first), "@@", ...lines.slice(lines.length - last)];
  });
  return out.join("\n");
}

function diff(a: string[], b: string[]): Piece[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const pieces: Piece[] = [];
  push(pieces, "same", a.slice(0, start).join(""));
  middle(a.slice(start, a.length - end), b.slice(start, b.length - end), pieces);
  push(pieces, "same", a.slice(a.length - end).join(""));
  return pieces;
}

function middle(a: string[], b: string[], pieces: Piece[]): void {
  if (a.length > MOST || b.length > MOST || !a.length || !b.length) {
    push(pieces, "gone", a.join(""));
    push(pieces, "added", b.join(""));
    return;
  }
  const width = b.length + 1;
  const length = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      length[i * width + j] =
        a[i] === b[j]
          ? length[(i + 1) * width + j + 1] + 1
          : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);
    }
  }
  let i = 0,
    j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      push(pieces, "same", a[i++]);
      j++;
    } else if (j >= b.length || (i < a.length && length[(i + 1) * width + j] >= length[i * width + j + 1])) {
      push(pieces, "gone", a[i++]);
    } else {
      push(pieces, "added", b[j++]);
    }
  }
}

function push(pieces: Piece[], kind: Piece["kind"], text: string): void {
  if (!text) return;
  const last = pieces.at(-1);
  if (last?.kind === kind) last.text += text;
  else pieces.push({ kind, text });
}

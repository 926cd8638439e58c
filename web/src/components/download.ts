/** Lets the browser save `content` as a file called `name`. */
export function download(name: string, content: BlobPart, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken the bytes by the next turn of its loop.
  setTimeout(() => URL.revokeObjectURL(url), 0);
}

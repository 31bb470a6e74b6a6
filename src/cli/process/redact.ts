/** Hides user names and passwords in URLs: repository locations may carry access keys. */
export function redactUrls(text: string): string {
  // A secret key may contain slashes; an unescaped one is hidden all the same.
  return text.replace(/(:\/\/)(?:[^\s/@:]+:[^\s@]+|[^\s/@:]+)@/g, "$1***@");
}

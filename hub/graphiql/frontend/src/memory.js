// Where GraphiQL keeps its tabs and sizes: in this page's memory. Nothing that was typed, no variable and no token,
// outlives the page, because operations carry identifiers of enterprises and persons.

export function memoryStorage() {
  const items = new Map();
  return {
    get length() {
      return items.size;
    },
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, String(value)),
    removeItem: (key) => void items.delete(key),
    clear: () => items.clear(),
  };
}

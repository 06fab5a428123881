/**
 * Pages by their paths: links change the page without loading it again.
 *
 * @module
 */
import { useEffect, useState } from "./dom.ts";

const moved = new EventTarget();

/** Go to a page. */
export function go(path: string): void {
  history.pushState(null, "", path);
  scrollTo(0, 0);
  moved.dispatchEvent(new Event("move"));
}

/** The path that is shown. */
export function usePath(): string {
  const [path, setPath] = useState(location.pathname);
  useEffect(() => {
    const change = () => setPath(location.pathname);
    moved.addEventListener("move", change);
    addEventListener("popstate", change);
    return () => {
      moved.removeEventListener("move", change);
      removeEventListener("popstate", change);
    };
  }, []);
  return path;
}

/** Follow links to our own pages here; all others, and those with a key held, are the browser's. */
export function followLinks(): void {
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link === null || link.target !== "" || link.origin !== location.origin) return;
    if (link.pathname.startsWith("/api/")) return;
    if (link.hash !== "" && link.pathname === location.pathname) return;
    event.preventDefault();
    go(link.pathname + link.hash);
  });
}

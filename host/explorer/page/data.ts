/**
 * Reads the API: what a page shows, read again as the ledger changes.
 *
 * @module
 */
import { useEffect, useRef, useState } from "./dom.ts";
import { useLive } from "./live.ts";

/** Least time between two readings of one thing. */
const PAUSE_MS = 400;

/** An answer that is none. */
export class ApiError extends Error {
  /** HTTP's status; 0 where the server was not reached. */
  readonly status: number;

  /** For this reason. */
  constructor(status: number, message: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

/** Read a path below `/api/v1`. @throws {ApiError} */
export async function read<T>(path: string): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`);
  } catch {
    throw new ApiError(0, "The explorer does not answer: is it still running?");
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  throw new ApiError(response.status, String(body?.error?.message ?? "The answer is no JSON"));
}

/** What was read so far. */
export interface Loaded<T> {
  /** The newest answer. */
  readonly data: T | null;
  /** Why there is no newer one. */
  readonly error: ApiError | null;
}

/** Read `path` (nothing where it is null), and again whenever the ledger changes, unless told not to. */
export function useData<T>(path: string | null, follow = true): Loaded<T> {
  const { changes } = useLive();
  const [loaded, setLoaded] = useState<Loaded<T> & { path: string | null }>({
    data: null,
    error: null,
    path,
  });
  const last = useRef({ path: "", at: 0 });
  const version = follow ? changes : 0;
  useEffect(() => {
    if (path === null) return;
    let gone = false;
    const wait = last.current.path === path ? last.current.at + PAUSE_MS - Date.now() : 0;
    const timer = setTimeout(async () => {
      last.current = { path, at: Date.now() };
      try {
        const data = await read<T>(path);
        if (!gone) setLoaded({ data, error: null, path });
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (!gone) {
          setLoaded((old) => ({ data: old.path === path ? old.data : null, error, path }));
        }
      }
    }, Math.max(0, wait));
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [path, version]);
  return loaded.path === path ? loaded : { data: null, error: null };
}

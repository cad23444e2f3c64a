// What a key is called, where the program tells only its id; an id of a key that is gone stays one.
import { useMemo } from "preact/hooks";
import { useLoad } from "./load";
import { has } from "./session";
import type { Key } from "./types";

export function useKeyNames(): (id: string) => string {
  const keys = useLoad<{ keys: Key[] }>(has("keys") ? "/api/keys" : null);
  return useMemo(() => {
    const names = new Map(keys.data?.keys.map((key) => [key.id, key.name]));
    return (id) => names.get(id) || id;
  }, [keys.data]);
}

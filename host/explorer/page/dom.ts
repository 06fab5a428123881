/**
 * Preact with tagged templates: text becomes text nodes, never markup.
 *
 * @module
 */
import htm from "htm";
import { type ComponentChildren, h, type VNode } from "preact";

export { type ComponentChildren, render, type VNode } from "preact";
export { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";

/** A template of elements. */
export type Html = (strings: TemplateStringsArray, ...values: unknown[]) => VNode;

/** See {@link Html}. */
export const html: Html = (htm as unknown as { bind(make: typeof h): Html }).bind(h);

/** What may stand inside an element. */
export type Children = ComponentChildren;

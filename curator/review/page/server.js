// Requests to the server that serves this page, and what went wrong, in words.

import { complain } from "./dom.js";
import { state } from "./state.js";

const token = location.pathname.split("/")[1];
const SAVE_LIMIT_MS = 20_000;

export async function request(path, parameters) {
  return settle(await fetch(`${path}?${new URLSearchParams(parameters ?? {})}`, { cache: "no-store" }));
}

async function settle(response) {
  let facts = null;
  try { facts = await response.json(); } catch (error) { if (error.name === "AbortError") throw error; }  // without JSON its status says all
  if (response.ok && facts) return facts;
  const message = response.status === 403 ? "This address is no longer valid; open the one that was printed last."
    : facts?.error ?? (response.ok ? "The answer was cut short." : `The server answered ${response.status}.`);
  throw Object.assign(new Error(message), { status: response.status });
}

export function inWords(error) {
  if (error.name === "AbortError") return "The server does not answer; it may have been saved all the same.";
  if (!(error instanceof TypeError)) return error.message;
  return `The server does not answer.${state.about ? ` Is \`${state.about.commands.review}\` still running?` : ""}`;
}

// Tell of a request that failed; `selectAgain` is called if the catalog has changed.
export function report(error, selectAgain) {
  if (error.status === 410 && selectAgain) return selectAgain();
  return complain(inWords(error));
}

export async function post(path, facts) {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), SAVE_LIMIT_MS);
  try {
    return await settle(await fetch(path, {
      method: "POST", headers: { "Content-Type": "application/json", "X-Curator-Token": token },
      body: JSON.stringify(facts), signal: limit.signal,
    }));
  } finally { clearTimeout(timer); }
}

/**
 * The refusals that this replica remembers, by source, within bounds. A flood of refusals costs little: what is known already is counted,
 * and of what is new so much is looked at in a second.
 */
import type { Rejection } from '@funnelai/domain/wire-sources';
import type { Clock } from '@funnelai/kube/clock';
import * as limits from '../limits.ts';
import type { WebhookMetrics } from '../metrics.ts';
import { type Arrival, messageOfRefusal, type Refusal, rejectionOf } from './arrival.ts';
import { keep, wordsOf } from './rejections.ts';

/** A refusal, or as many of the same words. */
interface Held {
  shown: Rejection;
  /** How many of them Postgres does not have yet. */
  unwritten: number;
  lookedMs: number;
}
interface Page {
  byWords: Map<string, Held>;
  /** The last refusal as it was said and as it is kept: mostly the next is the same. */
  last?: { said: string; kept: string };
  /** What was looked at in this second: of proven senders, and of strangers. */
  looks: Record<'known' | 'strangers', { sinceMs: number; count: number }>;
}
/** Refusals of one source that are to be written, with how many. */
export interface Unwritten {
  key: string;
  rejection: Rejection;
}

export interface RejectionBook {
  note(key: string, arrival: Arrival, refusal: Refusal): void;
  /** Newest first. */
  of(key: string): Rejection[];
  /** `count` is of those that are not written. */
  unwritten(): Unwritten[];
  written(batch: readonly Unwritten[]): void;
}

export function createRejectionBook({ clock, metrics }: { clock: Clock; metrics: WebhookMetrics }): RejectionBook {
  const pages = new Map<string, Page>();

  function pageOf(key: string): Page {
    const page = pages.get(key) ?? {
      byWords: new Map<string, Held>(),
      looks: { known: { sinceMs: 0, count: 0 }, strangers: { sinceMs: 0, count: 0 } },
    };
    // The source that was quiet for longest goes first.
    pages.delete(key);
    pages.set(key, page);
    if (pages.size > limits.REJECTION_SOURCES) {
      metrics.limitReached('REJECTION_SOURCES');
      pages.delete(pages.keys().next().value ?? '');
    }
    return page;
  }

  function keptMessage(page: Page, refusal: Refusal): string {
    if (page.last?.said !== refusal.message) page.last = { said: refusal.message, kept: messageOfRefusal(refusal) };
    return page.last.kept;
  }

  /** Takes one of the looks of this second; false when there is none left. */
  function look(page: Page, isKnown: boolean, nowMs: number): boolean {
    const looks = page.looks[isKnown ? 'known' : 'strangers'];
    if (nowMs - looks.sinceMs >= 1_000) Object.assign(looks, { sinceMs: nowMs, count: 0 });
    looks.count += 1;
    return looks.count <= limits.REJECTIONS_LOOKED_AT;
  }

  return {
    note(key, arrival, refusal) {
      const page = pageOf(key);
      const nowMs = clock.monotonicMs();
      const now = clock.now();
      const isNews = page.last?.said !== refusal.message;
      if (isNews && !look(page, arrival.isKnown, nowMs)) return metrics.limitReached('REJECTIONS_LOOKED_AT');
      const message = keptMessage(page, refusal);
      const words = wordsOf({ reason: refusal.reason, message });
      const held = page.byWords.get(words);
      if (held !== undefined) {
        held.shown.count += 1;
        held.unwritten += 1;
        held.shown.lastAt = now.toString({ fractionalSecondDigits: 3 });
        held.shown.isKnown ||= arrival.isKnown;
        if (nowMs - held.lookedMs < limits.REJECTED_BODY_EVERY_MS) return;
        const { count, firstAt } = held.shown;
        held.shown = { ...held.shown, ...rejectionOf(arrival, { ...refusal, message }, now), count, firstAt };
        held.lookedMs = nowMs;
        return;
      }
      const shown = rejectionOf(arrival, { ...refusal, message }, now);
      page.byWords.set(words, { shown, unwritten: 1, lookedMs: nowMs });
      const kept = new Set(keep([...page.byWords.values()].map((one) => one.shown)));
      for (const [other, one] of page.byWords) if (!kept.has(one.shown)) page.byWords.delete(other);
    },
    of: (key) => keep([...(pages.get(key)?.byWords.values() ?? [])].map(({ shown }) => ({ ...shown }))),
    unwritten: () =>
      [...pages].flatMap(([key, { byWords }]) =>
        [...byWords.values()]
          .filter(({ unwritten }) => unwritten > 0)
          .map(({ shown, unwritten }) => ({ key, rejection: { ...shown, count: unwritten } })),
      ),
    written(batch) {
      for (const { key, rejection } of batch) {
        const held = pages.get(key)?.byWords.get(wordsOf(rejection));
        if (held !== undefined) held.unwritten -= rejection.count;
      }
    },
  };
}

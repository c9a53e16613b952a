import { expect, it } from 'vitest';
import { tellStory } from './story.ts';

const BASE = Date.parse('2026-01-31T12:00:00Z');
const story = tellStory(BASE);
const all = Object.values(story).flat();
const key = (labels: Record<string, string>) => JSON.stringify(Object.entries(labels).sort());

it('tells of at least 40 different alerts of at least 4 names before it grows', () => {
  const { growth, ...before } = story;
  const firing = new Set(
    Object.values(before)
      .flat()
      .map(({ labels }) => key(labels)),
  );
  expect(firing.size).toBeGreaterThanOrEqual(40);
  expect(new Set(all.map(({ labels }) => labels.alertname)).size).toBeGreaterThanOrEqual(4);
  expect(new Set(growth.map(({ labels }) => key(labels))).size).toBe(growth.length);
  expect(growth.filter(({ labels }) => firing.has(key(labels)))).toEqual([]);
});

it('grows for two minutes, step by step', () => {
  const times = story.growth.map(({ startsAt }) => Date.parse(startsAt) - BASE);
  expect(times[0]).toBe(0);
  expect(Math.max(...times)).toBeGreaterThan(110_000);
  expect(Math.max(...times)).toBeLessThanOrEqual(120_000);
});

it('has a flap that comes back later than it went, and resolves only what fired, after it began', () => {
  const [first, gone, again] = story.flap;
  expect([first.status, gone.status, again.status]).toEqual(['firing', 'resolved', 'firing']);
  expect(Date.parse(again.startsAt)).toBeGreaterThan(Date.parse(gone.endsAt ?? ''));
  expect(Date.parse(again.startsAt)).toBeLessThan(BASE + 120_000);
  const firing = new Set(all.filter(({ status }) => status === 'firing').map(({ labels }) => key(labels)));
  for (const { status, labels, startsAt, endsAt } of all) {
    if (status === 'firing') continue;
    expect(firing.has(key(labels))).toBe(true);
    expect(Date.parse(endsAt ?? '')).toBeGreaterThan(Date.parse(startsAt));
  }
});

it('tells of nothing that has not happened yet, but for what is still to grow', () => {
  const { growth: _, flap, ...before } = story;
  const times = [...Object.values(before).flat(), flap[0]]
    .flatMap(({ startsAt, endsAt }) => [startsAt, endsAt ?? startsAt])
    .map((time) => Date.parse(time));
  expect(Math.max(...times)).toBeLessThanOrEqual(BASE);
  expect(Math.min(...times)).toBeGreaterThan(BASE - 30 * 60_000);
});

it('says of each alert what is wrong with which thing, as its rule does', () => {
  for (const { labels, annotations } of all) {
    expect(annotations.summary).toMatch(/\w/);
    expect(`${annotations.summary} ${annotations.description}`).toContain(
      labels.pod && !labels.instance?.startsWith(labels.pod)
        ? labels.pod
        : (labels.deployment ?? labels.persistentvolumeclaim ?? labels.instance ?? '?'),
    );
    expect(JSON.stringify(annotations)).not.toContain('undefined');
  }
});

it('is the same each time it is told from the same base, so that taking it up again repeats nothing', () => {
  expect(tellStory(BASE)).toEqual(story);
});

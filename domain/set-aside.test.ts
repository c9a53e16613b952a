import { describe, expect, it } from 'vitest';
import { deleteThem, isForWantOfSource, lookAtThem, putThemBack, sourceIsGone } from './set-aside.ts';

describe('what was set aside', () => {
  it('is told to be for want of its source, and nothing else is', () => {
    expect(isForWantOfSource(sourceIsGone('demo', 'prom'))).toBe(true);
    expect(isForWantOfSource('Alert "prom-1" is invalid: spec.title: is not there any more')).toBe(false);
  });

  it.each([lookAtThem, putThemBack, deleteThem])(
    'is touched only as far as it is of one source of one cluster: %o',
    (of) => {
      const sql = of({ scope: 'c1', namespace: 'demo', source: "it's" });
      expect(sql).toContain("WHERE scope = 'c1' AND namespace = 'demo' AND source = 'it''s'");
    },
  );
});

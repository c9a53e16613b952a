import { describe, expect, it } from 'vitest';
import { clearedInWords, countsInWords, expiredInWords } from './alert-counts.ts';

describe('how the alerts of an incident stand', () => {
  it('names those that expired only where some did, and never among the resolved', () => {
    expect(countsInWords({ firing: 3, resolved: 1, total: 4 })).toBe('3 firing, 1 resolved of 4');
    expect(countsInWords({ firing: 0, resolved: 1, expired: 2, total: 3 })).toBe(
      '0 firing, 2 expired, 1 resolved of 3',
    );
    expect(countsInWords({ firing: 3, resolved: 1, total: 4, folded: 90 })).toBe(
      '3 firing, 1 resolved of 4, and 90 folded that fire',
    );
  });

  it('names those that left it, and does not call them resolved', () => {
    expect(countsInWords({ firing: 1, resolved: 0, total: 2 })).toBe(
      '1 firing, 0 resolved, 1 moved to another incident or deleted, of 2',
    );
    expect(clearedInWords({ firing: 0, resolved: 1, total: 2 })).toMatch(/^Its alert has resolved\./);
    expect(clearedInWords({ firing: 0, resolved: 1_200, total: 1_200 })).toMatch(/^All 1,200 alerts have resolved\./);
  });

  it('says that an incident does not resolve by itself once nothing fires but something expired', () => {
    expect(expiredInWords({ firing: 1, resolved: 0, expired: 1, total: 2 })).toBeUndefined();
    expect(expiredInWords({ firing: 0, resolved: 2, total: 2 })).toBeUndefined();
    expect(expiredInWords({ firing: 0, resolved: 0, expired: 1, total: 1 })).toContain('1 alert has expired');
    expect(expiredInWords({ firing: 0, resolved: 0, expired: 2, total: 2 })).toContain('2 alerts have expired');
  });
});

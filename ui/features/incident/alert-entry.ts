/** Which lines of a timeline are about one alert. */
import type { TimelineEntry } from '@funnelai/domain/wire';

const KINDS: readonly TimelineEntry['kind'][] = ['AlertJoined', 'AlertResolved', 'AlertExpired'];

export const isAboutAlert = ({ kind }: Pick<TimelineEntry, 'kind'>): boolean => KINDS.includes(kind);

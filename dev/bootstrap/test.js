/** `npm test`: what has to be there first, then dev/test.ts under Node 24. */
import { handOver } from './launcher.js';

await handOver('npm test', 'dev/test.ts');

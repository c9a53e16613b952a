/** `npm run soak`: what has to be there first, then test/soak/main.ts under Node 24. */
import { handOver } from './launcher.js';

await handOver('npm run soak', 'test/soak/main.ts');

/** `npm run bench`: what has to be there first, then bench/main.ts under Node 24. */
import { handOver } from './launcher.js';

await handOver('npm run bench', 'bench/main.ts');

/** `npm start`: what has to be there first, then dev/start.ts under Node 24. */
import { handOver } from './launcher.js';

await handOver('npm start', 'dev/start.ts');

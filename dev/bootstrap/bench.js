/** `npm run bench`: what has to be there first, then bench/main.ts under Node 24. */
import { begin } from './begin.js';

begin('npm run bench', 'bench/main.ts');

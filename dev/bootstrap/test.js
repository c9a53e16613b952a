/** `npm test`: what has to be there first, then dev/test.ts under Node 24. */
import { begin } from './begin.js';

begin('npm test', 'dev/test.ts');

/** `npm start`: what has to be there first, then dev/start.ts under Node 24. */
import { begin } from './begin.js';

begin('npm start', 'dev/start.ts');

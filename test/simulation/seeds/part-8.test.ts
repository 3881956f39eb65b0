import { holdsInPart } from '../hold.js';

holdsInPart(8);

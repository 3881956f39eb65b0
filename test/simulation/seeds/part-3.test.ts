import { holdsInPart } from '../hold.js';

holdsInPart(3);

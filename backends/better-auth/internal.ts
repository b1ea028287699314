/**
 * For the other packages of this repository only: anything here may change in any release.
 *
 * @module
 */
export { sweepBetterAuth } from './sweep.js'

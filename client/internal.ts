/**
 * Internal to the packages of this repository; it may change in any release.
 *
 * @module
 */
export { ROUTES } from './routes.js'
export { createSharedQuestions } from './shared-questions.js'

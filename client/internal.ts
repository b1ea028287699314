/**
 * Internal to the packages of this repository; it may change in any release.
 *
 * @module
 */
export { ROUTES } from './generated/routes.js'
export { createSharedQuestions } from './shared-questions.js'

/**
 * For the other packages of this repository only: anything here may change in any release.
 *
 * @module
 */
export { ROUTES } from './routes.js'
export { createSharedQuestions } from './shared-questions.js'

import type * as contract from '@netscript/auth-contract'
import type * as wire from './wire.js'

// Compiled by `npm run check`, never run: the generated types are those of the contract's schemas.

type Same<A, B> = [A, B] extends [B, A] ? true : never

export const same: {
  [Name in keyof Generated & keyof Declared]: Same<Generated[Name], Declared[Name]>
} = {
  AuthSession: true,
  AuthUser: true,
  CallbackQuery: true,
  CallbackResponse: true,
  DescribeResponse: true,
  MeResponse: true,
  RevokedResponse: true,
  SessionResponse: true,
  SessionsQuery: true,
  SessionsResponse: true,
  SigninInput: true,
  SigninResponse: true,
  SignoutInput: true,
  SignoutResponse: true,
  TokenInput: true,
  TokenResponse: true,
}

interface Generated {
  AuthSession: wire.AuthSession
  AuthUser: wire.AuthUser
  CallbackQuery: wire.CallbackQuery
  CallbackResponse: wire.CallbackResponse
  DescribeResponse: wire.DescribeResponse
  MeResponse: wire.MeResponse
  RevokedResponse: wire.RevokedResponse
  SessionResponse: wire.SessionResponse
  SessionsQuery: wire.SessionsQuery
  SessionsResponse: wire.SessionsResponse
  SigninInput: wire.SigninInput
  SigninResponse: wire.SigninResponse
  SignoutInput: wire.SignoutInput
  SignoutResponse: wire.SignoutResponse
  TokenInput: wire.TokenInput
  TokenResponse: wire.TokenResponse
}

interface Declared {
  AuthSession: contract.AuthSession
  AuthUser: contract.AuthUser
  CallbackQuery: contract.CallbackQuery
  CallbackResponse: contract.CallbackResponse
  DescribeResponse: contract.DescribeResponse
  MeResponse: contract.MeResponse
  RevokedResponse: contract.RevokedResponse
  SessionResponse: contract.SessionResponse
  SessionsQuery: contract.SessionsQuery
  SessionsResponse: contract.SessionsResponse
  SigninInput: contract.SigninInput
  SigninResponse: contract.SigninResponse
  SignoutInput: contract.SignoutInput
  SignoutResponse: contract.SignoutResponse
  TokenInput: contract.TokenInput
  TokenResponse: contract.TokenResponse
}

-- Every sign-in with a provider counts on one row. Waiting for the disk with that row locked would be
-- the limit of all sign-ins together, and counts of a minute need not outlive a crash.
ALTER TABLE "auth_rate_limits" SET UNLOGGED;

-- CreateTable
-- By hand: UNLOGGED. A count of the last minute is worth neither a flush nor its way to a replica;
-- after a crash of the database everybody begins at nought.
CREATE UNLOGGED TABLE "auth_rate_limits" (
    "key" TEXT NOT NULL,
    "hits" INTEGER NOT NULL,
    "reset_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "auth_rate_limits_pkey" PRIMARY KEY ("key")
);

-- CreateIndex
CREATE INDEX "auth_rate_limits_reset_at_idx" ON "auth_rate_limits"("reset_at");

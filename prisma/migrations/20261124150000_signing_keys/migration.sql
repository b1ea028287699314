-- CreateTable
CREATE TABLE "auth_signing_keys" (
    "generation" INTEGER NOT NULL,
    "kid" TEXT NOT NULL,
    "public_key" JSONB NOT NULL,
    "private_key" TEXT NOT NULL,
    "published_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "signs_at" TIMESTAMPTZ(3) NOT NULL,
    "retires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "auth_signing_keys_pkey" PRIMARY KEY ("generation")
);

-- CreateIndex
CREATE UNIQUE INDEX "auth_signing_keys_kid_key" ON "auth_signing_keys"("kid");

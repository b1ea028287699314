# The service as `netscript start` runs it. Build it with `docker build -t netscript-auth .`
ARG NODE=24

FROM node:${NODE}-slim AS build
WORKDIR /app
COPY . .
RUN npm ci --ignore-scripts && npm run generate && npm run build

FROM node:${NODE}-slim AS dependencies
WORKDIR /app
COPY . .
RUN npm ci --omit=dev --ignore-scripts

FROM node:${NODE}-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/contract ./contract
COPY --from=build /app/openapi ./openapi
COPY --from=build /app/client ./client
COPY --from=build /app/backends ./backends
COPY --from=build /app/prisma ./prisma
COPY --from=build /app/server ./server
COPY package.json LICENSE ./
USER node
EXPOSE 8094
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 8094}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "server/dist/cli/main.js", "start"]

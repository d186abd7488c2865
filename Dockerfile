# The image of Sluice. What it offers and how to run it: docs/container.md.
# test/packaging holds this file to rules and runs its steps without a container engine.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
# Before the sources, so that a change of a source does not install again.
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY gen ./gen
COPY src ./src
RUN node_modules/.bin/tsc -p tsconfig.build.json

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# The optional packages are a Node of their own; the base has one.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE} AS runtime
LABEL org.opencontainers.image.title="sluice" \
      org.opencontainers.image.description="A gRPC microservice that routes language-model requests" \
      org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production \
    SLUICE_ADDRESS=0.0.0.0:50051 \
    SLUICE_ADMIN_ADDRESS=0.0.0.0:9464
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY bin ./bin
COPY --from=build /app/dist ./dist
# A number, so that an orchestrator can see that it is not root.
USER 65532:65532
EXPOSE 50051 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["node", "/app/bin/health-probe.js"]
ENTRYPOINT ["node", "/app/bin/sluice.js"]
CMD ["serve"]

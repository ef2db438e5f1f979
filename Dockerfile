# The image of pulsar-ts-io with its built-in connectors: docker build -t pulsar-ts-io .
#
# NODE is the one place for Node's release line. To pin the bases by digest, pass them whole:
#   --build-arg BUILD_IMAGE=node:22-bookworm-slim@sha256:… --build-arg RUNTIME_IMAGE=gcr.io/distroless/nodejs22-debian12:nonroot@sha256:…
ARG NODE=22
ARG BUILD_IMAGE=node:${NODE}-bookworm-slim
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs${NODE}-debian12:nonroot

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
# Only the lockfile decides about this layer: a change of the sources reuses it.
COPY pnpm-lock.yaml pnpm-workspace.yaml package.json ./
RUN npx --yes pnpm@10.34.9 fetch
COPY . .
RUN npx --yes pnpm@10.34.9 install --frozen-lockfile --offline \
 && npm run build \
 && npx --yes pnpm@10.34.9 --filter pulsar-ts-io deploy --prod --offline --config.inject-workspace-packages=true /app \
 && node deploy/image/prune.mjs /app \
 && cp LICENSE /app/LICENSE

# The runtime base has no shell, no package manager and no compiler, so an attacker cannot use them.
FROM ${RUNTIME_IMAGE}
LABEL org.opencontainers.image.title="pulsar-ts-io" \
      org.opencontainers.image.description="Runs connectors that bring data into Apache Pulsar" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build --chown=0:0 /app /app
# By number: Kubernetes checks runAsNonRoot without /etc/passwd. Any other user id works as well.
USER 65532:65532
WORKDIR /tmp
# Probes and Prometheus connect from outside of the container: it listens on every address, IPv4 and IPv6.
ENV NODE_ENV=production PULSAR_TS_IO_HTTP_HOST=0.0.0.0 PULSAR_TS_IO_HTTP_PORT=9094
EXPOSE 9094
STOPSIGNAL SIGTERM
# Docker alone reads this, Kubernetes has its own probes. Each check starts a Node of about 50 MB, so it runs once a minute. Docker 25 and
# newer check each second while the container starts.
HEALTHCHECK --interval=60s --timeout=10s --start-period=120s --retries=3 \
  CMD ["/nodejs/bin/node", "-e", "fetch(`http://localhost:${process.env.PULSAR_TS_IO_HTTP_PORT}/health`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/nodejs/bin/node", "/app/bin/pulsar-ts-io.js"]
CMD ["--help"]

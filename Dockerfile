# The image of pulsar-ts-io with its built-in connectors. `docker build -t pulsar-ts-io .`
ARG NODE=22-bookworm-slim

FROM node:${NODE} AS build
WORKDIR /src
COPY . .
RUN npm run setup \
 && npm run build \
 && npx --yes pnpm@10.34.9 --filter pulsar-ts-io deploy --legacy --prod --config.inject-workspace-packages=true /app

# No shell, no package manager, no compiler: what is not there cannot be used.
FROM gcr.io/distroless/nodejs22-debian12:nonroot
LABEL org.opencontainers.image.title="pulsar-ts-io" \
      org.opencontainers.image.description="Runs connectors that bring data into Apache Pulsar" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build --chown=root:root /app /app
USER nonroot
WORKDIR /tmp
# For the probes of whoever runs it; reachable from outside, as a container's port has to be.
ENV NODE_ENV=production PULSAR_TS_IO_HTTP_HOST=0.0.0.0 PULSAR_TS_IO_HTTP_PORT=9094
EXPOSE 9094
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
  CMD ["/nodejs/bin/node", "-e", "fetch(`http://127.0.0.1:${process.env.PULSAR_TS_IO_HTTP_PORT}/health`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/nodejs/bin/node", "/app/bin/pulsar-ts-io.js"]
CMD ["--help"]

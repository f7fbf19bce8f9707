# The gateway alone, in an image that holds one static binary and nothing
# else. Build the binary first: CGO_ENABLED=0 go build -o plantbed ./cmd/plantbed
FROM scratch
COPY plantbed /plantbed
ENTRYPOINT ["/plantbed", "gateway"]
CMD ["-c", "/etc/plantbed/gateway.toml"]

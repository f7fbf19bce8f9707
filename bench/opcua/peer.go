package main

import (
	_ "embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed peer/server.c
var cServer []byte

const nodeDir = "bench/opcua/peer"

// findPeers lists the servers that are there to compare with, and says of the
// others that they are missing.
func findPeers(dir string) (peers []*server, missing []string) {
	name := func(i int) string { return fmt.Sprintf("t%d", i) }
	if exe, err := compile(dir); err == nil {
		peers = append(peers, &server{name: "open62541", namespace: 1, node: name, command: func() *exec.Cmd {
			return exec.Command(exe, freePort(), fmt.Sprint(subscribed))
		}})
	} else {
		missing = append(missing, fmt.Sprintf("open62541 (missing: %v)", err))
	}
	if _, err := os.Stat(filepath.Join(nodeDir, "node_modules", "node-opcua-server")); err == nil {
		peers = append(peers, &server{name: "node-opcua", namespace: 1, node: name, command: func() *exec.Cmd {
			return exec.Command("node", filepath.Join(nodeDir, "server.cjs"), freePort(), fmt.Sprint(subscribed), dir)
		}})
	} else {
		missing = append(missing, "node-opcua (missing: npm install --prefix "+nodeDir+")")
	}
	return peers, missing
}

// compile makes the open62541 server from what is installed in OPEN62541_DIR.
func compile(dir string) (string, error) {
	root := os.Getenv("OPEN62541_DIR")
	if root == "" {
		return "", fmt.Errorf("set OPEN62541_DIR to where it is installed")
	}
	c, exe := filepath.Join(dir, "server.c"), filepath.Join(dir, "server")
	if err := os.WriteFile(c, cServer, 0o644); err != nil {
		return "", err
	}
	args := []string{"-O2", "-o", exe, c, "-I" + filepath.Join(root, "include"), "-L" + filepath.Join(root, "lib"), "-lopen62541", "-lm", "-lpthread"}
	if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s", out)
		return "", fmt.Errorf("it does not compile")
	}
	return exe, nil
}

// freePort is a port that is free now, for servers that tell none.
func freePort() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "4840"
	}
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}

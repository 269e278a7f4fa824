package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// peer is another way to run the same echo.
type peer struct {
	name string
	args []string // PORT stands for a free port
	path string
	cmd  *exec.Cmd
	url  string
	http *http.Client
}

func allPeers() []*peer {
	return []*peer{
		{name: "bare Node.js HTTP server (the limit)", args: []string{"node", "server.js", "PORT"}, path: "/"},
		{name: "serverless-offline 13", path: "/2015-03-31/functions/peer-dev-echo/invocations",
			args: []string{"node_modules/.bin/serverless", "offline", "--lambdaPort", "PORT", "--httpPort", "0", "--noPrependStageInUrl"}},
		{name: "functions-framework", path: "/",
			args: []string{"node_modules/.bin/functions-framework", "--source=framework.js", "--target=handler", "--port=PORT"}},
		{name: "miniflare", args: []string{"node", "miniflare.mjs", "PORT"}, path: "/"},
	}
}

// startPeers installs the peers once and starts them all.
func (b *bench) startPeers(ctx context.Context) ([]*peer, error) {
	dir := filepath.Join("bench", "peers")
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		install := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		install.Dir = dir
		if out, err := install.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("install peers: %w: %s", err, out)
		}
	}
	peers := allPeers()
	for _, p := range peers {
		if err := p.start(ctx, dir); err != nil {
			stopPeers(peers)
			return nil, fmt.Errorf("start %s: %w", p.name, err)
		}
	}
	return peers, nil
}

func (p *peer) start(ctx context.Context, dir string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	l.Close()
	args := make([]string, len(p.args))
	for i, a := range p.args {
		args[i] = string(bytes.ReplaceAll([]byte(a), []byte("PORT"), []byte(port)))
	}
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=peer", "AWS_SECRET_ACCESS_KEY=peer", "SLS_TELEMETRY_DISABLED=1", "CI=1")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.url = "http://127.0.0.1:" + port + p.path
	p.http = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
	deadline := time.Now().Add(60 * time.Second)
	for {
		if _, err = p.call(); err == nil || time.Now().After(deadline) || ctx.Err() != nil {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// call sends the payload once; peers check no signature.
func (p *peer) call() (time.Duration, error) {
	began := time.Now()
	res, err := p.http.Post(p.url, "application/json", bytes.NewReader(payload))
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	if res.StatusCode != http.StatusOK || !bytes.Contains(answer, []byte("Ada")) {
		return 0, fmt.Errorf("%s: %s", res.Status, answer)
	}
	return time.Since(began), nil
}

func stopPeers(peers []*peer) {
	for _, p := range peers {
		if p.cmd != nil && p.cmd.Process != nil {
			syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
			p.cmd.Wait()
		}
	}
}

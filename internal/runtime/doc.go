// Package runtime is Lambda's runtimes on this machine: which are there, how
// each is booted, and the bootstraps that load a handler and feed it calls.
//
// Find looks for Node.js, Python and Java where systems keep them and in the
// node's own folder, where Add puts what is fetched from npm and Debian. Lookup
// gives one Runtime by its Lambda name; its Boot says what to start in a sandbox,
// ahead of any function:
//
//	nodejs/    bootstrap.js and its modules     node, any version from 18
//	python/    __main__.py and its modules      python 3.9 and later
//	java/      Main.java and its classes        compiled once with the machine's javac
//	java/core/ aws-lambda-java-core's interfaces, as AWS's image has them, for
//	           functions that don't package their own
//	provided   no bootstrap: the agent starts the function's own
//
// A bootstrap speaks package agent/frame on descriptor 3 and writes log frames on
// the descriptor that _LAMBDA_TELEMETRY_LOG_FD names (4). It boots, says Hello,
// and knows nothing of a function until Init; a member of a pool is therefore
// good for any function of its runtime.
//
// Not here: Ruby, .NET, the deprecated versions of the others, SnapStart's hooks,
// and Java's CustomPojoSerializer, which is asked by nobody.
package runtime

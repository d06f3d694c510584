# The arrows of the house: which rooms a room may include and link.
# The Makefile links every test of a room with exactly these archives, and
# tests/lint/check-layers.sh compares every #include with the same lists.
ROOMS := base codec crypto merkle store core bee blobs hyperdrive pear cli git \
	drive build-tool multisig review \
	net-noise net-secret net-udx net-mux net-relay net-rpc net-dht net-io \
	net-http \
	replicate swarm peer monitor blind

uses_base :=
uses_codec := base
uses_crypto := codec base
uses_merkle := crypto codec base
uses_store := codec base
uses_core := store merkle crypto codec base
uses_bee := core store merkle crypto codec base
uses_blobs := core store merkle crypto codec base
uses_hyperdrive := bee blobs core store merkle crypto codec base
uses_pear := codec base
uses_cli := codec base
uses_drive := hyperdrive bee blobs core store merkle crypto pear codec base
uses_git := base
uses_build-tool := git crypto pear codec base
uses_multisig := hyperdrive bee blobs core store merkle crypto codec base
# above the workflows: it holds a request against drives and a folder
uses_review := multisig drive git hyperdrive bee blobs core store merkle crypto \
	pear codec base

# The network column: lib/net/NAME is the room net-NAME. No storage below
# replicate, no socket outside net-io.
uses_net-noise := crypto codec base
uses_net-secret := net-noise crypto codec base
uses_net-udx := codec base
uses_net-mux := codec base
uses_net-relay := net-mux codec base
uses_net-rpc := crypto codec base
uses_net-dht := net-rpc net-noise crypto codec base
uses_net-io := base
uses_net-http := base
uses_replicate := core store merkle net-mux crypto codec base
# what a seeder shows of itself
uses_monitor := codec base
# who to be connected to: no connection itself
uses_swarm := net-dht net-rpc net-noise crypto codec base
uses_blind := replicate core store merkle net-mux crypto codec base
# the one place where both columns meet: wiring only
uses_peer := replicate swarm core store merkle net-dht net-rpc net-secret net-noise \
	net-udx net-relay net-mux net-io crypto codec base

# External libraries by room, for the link line.
ext_codec := -ljansson
ext_crypto := -lsodium
ext_store := -llmdb
ext_drive := -lutf8proc
ext_git := -lgit2
ext_net-io := -luv
ext_net-http := -lmicrohttpd

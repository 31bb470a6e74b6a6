# Read by Python at every start: the worker's metrics are served on loopback only. Infrahub has a
# setting for their port and none for their address, and would listen on all of them.
import os

address = os.environ.get("BED_METRICS_ADDRESS")
if address:
    import prometheus_client

    start = prometheus_client.start_http_server
    prometheus_client.start_http_server = lambda port, **others: start(
        port, **{**others, "addr": address}
    )

/** Below 1024 RTMP and RTMPS use only the first two, and sources over RTSP the third. */
const LOW_PORTS: ReadonlySet<number> = new Set([80, 443, 554]);
const LOW_PORT_MAX = 1_023;
const PORT_MAX = 65_535;

/**
 * Services inside networks that trust every client that reaches them. No platform takes RTMP there; platforms with odd
 * ports use 8080 (CHZZK), 1936, 2935, 2936 (LinkedIn) and 5222 (Mux), so every port that is not listed is allowed.
 */
const SERVICE_PORTS: ReadonlySet<number> = new Set([
  1433, // SQL Server
  1434, // SQL Server's browser
  1521, // Oracle
  1883, // MQTT
  2049, // NFS
  2181, // ZooKeeper
  2375, // Docker
  2376, // Docker over TLS
  2377, // Docker Swarm
  2379, // etcd
  2380, // etcd peers
  3128, // Squid
  3260, // iSCSI
  3306, // MySQL
  3389, // remote desktop
  4222, // NATS
  4369, // Erlang's port mapper
  4505, // Salt
  4506, // Salt
  4646, // Nomad
  5432, // PostgreSQL
  5601, // Kibana
  5671, // RabbitMQ over TLS
  5672, // RabbitMQ
  5900, // VNC
  5901, // VNC
  5984, // CouchDB
  5985, // Windows remote management
  5986, // Windows remote management over TLS
  6000, // X11
  6379, // Redis
  6380, // Redis over TLS
  6443, // Kubernetes
  7077, // Spark
  7474, // Neo4j
  7687, // Neo4j
  7946, // Docker Swarm's nodes
  8086, // InfluxDB
  8123, // ClickHouse
  8200, // Vault
  8300, // Consul's servers
  8500, // Consul
  8501, // Consul over TLS
  8883, // MQTT over TLS
  8983, // Solr
  9042, // Cassandra
  9090, // Prometheus
  9091, // Prometheus' gateway
  9092, // Kafka
  9093, // Prometheus' alerts, Kafka over TLS
  9100, // Prometheus on machines, printers
  9160, // Cassandra
  9200, // Elasticsearch
  9300, // Elasticsearch nodes
  10_250, // Kubernetes nodes
  10_255, // Kubernetes nodes, to be read
  10_256, // Kubernetes' proxy
  10_257, // Kubernetes' controller
  10_259, // Kubernetes' scheduler
  11_210, // Couchbase
  11_211, // memcached
  15_672, // RabbitMQ management
  25_672, // RabbitMQ nodes
  26_257, // CockroachDB
  26_379, // Redis Sentinel
  27_017, // MongoDB
  27_018, // MongoDB shards
  27_019, // MongoDB's configuration
  28_015, // RethinkDB
  28_017, // MongoDB's status page
  50_070, // HDFS
  61_613, // ActiveMQ
  61_616, // ActiveMQ
]);

/** Whether a target may listen on this port. */
export function isTargetPort(port: number): boolean {
  if (!Number.isInteger(port) || port < 1 || port > PORT_MAX) return false;
  return port <= LOW_PORT_MAX ? LOW_PORTS.has(port) : !SERVICE_PORTS.has(port);
}

/**
 * Kubernetes: pods, `kubectl exec`, scaling. Reached through the `Environment` contract alone.
 *
 * @module
 */

export { Kubernetes, type KubernetesOptions, REPLICAS_ANNOTATION } from "./kubernetes.ts";

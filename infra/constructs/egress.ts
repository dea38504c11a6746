import { RemovalPolicy } from 'aws-cdk-lib';
import {
  FlowLog,
  FlowLogDestination,
  FlowLogResourceType,
  GatewayVpcEndpointAwsService,
  IpAddresses,
  IpProtocol,
  NatProvider,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Placement } from './audit-function.ts';

export type EgressProps = {
  /** Allocation id of the Elastic IP that every packet to a mail server leaves from. */
  readonly allocationId: string;
  /** TCP ports that may be dialled. */
  readonly ports: readonly number[];
  /** Whether there is a way out over IPv6 too. It does not pass the NAT gateway, and so has no address that is ours to keep. */
  readonly ipv6: boolean;
};

/**
 * The one way out to mail servers: private subnets behind one NAT gateway with the retained address. Reverse DNS,
 * reputation, greylisting and the permission to use port 25 all hang on that address; a second gateway would have another.
 * A Lambda function outside a VPC can never use port 25.
 */
export class Egress extends Construct {
  readonly placement: Placement;

  constructor(scope: Construct, id: string, { allocationId, ports, ipv6 }: EgressProps) {
    super(scope, id);
    const vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr('10.61.0.0/24'), // private space, which the target policy refuses to probe
      ...(ipv6 ? { ipProtocol: IpProtocol.DUAL_STACK } : {}),
      maxAzs: 2,
      natGateways: 1,
      natGatewayProvider: NatProvider.gateway({ eipAllocationIds: [allocationId] }),
      restrictDefaultSecurityGroup: false, // nothing is in that group
      subnetConfiguration: [
        { name: 'Public', subnetType: SubnetType.PUBLIC, cidrMask: 26, mapPublicIpOnLaunch: false },
        { name: 'Probe', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 26 },
      ],
      gatewayEndpoints: { DynamoDb: { service: GatewayVpcEndpointAwsService.DYNAMODB } },
    });
    const securityGroups = [this.#outboundOnly(vpc, ports, ipv6)];
    this.placement = { vpc, vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS }, securityGroups, ipv6AllowedForDualStack: ipv6 };
    this.#keepFlowLog(vpc);
  }

  #outboundOnly(vpc: Vpc, ports: readonly number[], ipv6: boolean): SecurityGroup {
    const description = 'Probes: out to mail servers and to AWS, nothing in';
    const group = new SecurityGroup(this, 'Outbound', { vpc, description, allowAllOutbound: false, allowAllIpv6Outbound: false });
    group.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS services');
    for (const peer of [Peer.anyIpv4(), ...(ipv6 ? [Peer.anyIpv6()] : [])])
      for (const port of ports) group.addEgressRule(peer, Port.tcp(port), 'mail servers');
    return group;
  }

  // Says which server was dialled and when: the answer to an abuse report.
  #keepFlowLog(vpc: Vpc): void {
    const log = new LogGroup(this, 'FlowLog', { retention: RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY });
    new FlowLog(this, 'Flows', {
      resourceType: FlowLogResourceType.fromVpc(vpc),
      destination: FlowLogDestination.toCloudWatchLogs(log),
    });
  }
}

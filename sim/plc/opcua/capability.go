package opcua

import (
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// addCapabilities adds what Part 5 has every server show, be it empty, and what
// Part 11 has it say of its history.
func (std *standard) addCapabilities() {
	for _, t := range []struct {
		class     ua.NodeClass
		id, super uint32
		name      string
	}{
		{ua.NodeClassDataType, id.SignedSoftwareCertificate, id.Structure, "SignedSoftwareCertificate"},
		{ua.NodeClassObjectType, id.VendorServerInfoType, id.BaseObjectType, "VendorServerInfoType"},
		{ua.NodeClassObjectType, id.HistoryServerCapabilitiesType, id.BaseObjectType, "HistoryServerCapabilitiesType"},
	} {
		link(std.nodes[t.super], id.HasSubtype, std.add(t.class, t.id, t.name))
		std.super[t.id] = t.super
	}
	for _, o := range []struct {
		id, parent, kind uint32
		name             string
	}{
		{id.Server_VendorServerInfo, id.Server, id.VendorServerInfoType, "VendorServerInfo"},
		{id.Server_ServerCapabilities_ModellingRules, id.Server_ServerCapabilities, id.FolderType, "ModellingRules"},
		{id.Server_ServerCapabilities_AggregateFunctions, id.Server_ServerCapabilities, id.FolderType, "AggregateFunctions"},
		{historyCapabilities, id.Server_ServerCapabilities, id.HistoryServerCapabilitiesType, "HistoryServerCapabilities"},
		{id.HistoryServerCapabilities_AggregateFunctions, historyCapabilities, id.FolderType, "AggregateFunctions"},
	} {
		n := std.add(ua.NodeClassObject, o.id, o.name)
		n.kind = o.kind
		link(std.nodes[o.parent], id.HasComponent, n)
	}
	certificates := std.property(id.Server_ServerCapabilities, id.Server_ServerCapabilities_SoftwareCertificates, "SoftwareCertificates", id.SignedSoftwareCertificate, constant([]*ua.ExtensionObject{}))
	certificates.array = true
	has := func(s *Server, _ time.Time) any { return s.cfg.History > 0 }
	std.property(historyCapabilities, id.HistoryServerCapabilities_AccessHistoryDataCapability, "AccessHistoryDataCapability", id.Boolean, has)
	std.property(historyCapabilities, id.HistoryServerCapabilities_ServerTimestampSupported, "ServerTimestampSupported", id.Boolean, has)
	std.property(historyCapabilities, id.HistoryServerCapabilities_MaxReturnDataValues, "MaxReturnDataValues", id.UInt32, limit(func(l *Limits) int { return l.References }))
	std.property(historyCapabilities, id.HistoryServerCapabilities_MaxReturnEventValues, "MaxReturnEventValues", id.UInt32, constant(uint32(0)))
	for _, cannot := range []struct {
		id   uint32
		name string
	}{
		{id.HistoryServerCapabilities_AccessHistoryEventsCapability, "AccessHistoryEventsCapability"},
		{id.HistoryServerCapabilities_InsertDataCapability, "InsertDataCapability"},
		{id.HistoryServerCapabilities_ReplaceDataCapability, "ReplaceDataCapability"},
		{id.HistoryServerCapabilities_UpdateDataCapability, "UpdateDataCapability"},
		{id.HistoryServerCapabilities_DeleteRawCapability, "DeleteRawCapability"},
		{id.HistoryServerCapabilities_DeleteAtTimeCapability, "DeleteAtTimeCapability"},
		{id.HistoryServerCapabilities_InsertEventCapability, "InsertEventCapability"},
		{id.HistoryServerCapabilities_ReplaceEventCapability, "ReplaceEventCapability"},
		{id.HistoryServerCapabilities_UpdateEventCapability, "UpdateEventCapability"},
		{id.HistoryServerCapabilities_DeleteEventCapability, "DeleteEventCapability"},
		{id.HistoryServerCapabilities_InsertAnnotationCapability, "InsertAnnotationCapability"},
	} {
		std.property(historyCapabilities, cannot.id, cannot.name, id.Boolean, constant(false))
	}
	std.nodes[id.ServerState].definition = enumeration("Running", "Failed", "NoConfiguration", "Suspended", "Shutdown", "Test", "CommunicationFault", "Unknown")
	std.nodes[id.RedundancySupport].definition = enumeration("None", "Cold", "Warm", "Hot", "Transparent", "HotAndMirrored")
}

// historyCapabilities is the object HistoryServerCapabilities.
const historyCapabilities = 11192

// property adds a property to a node.
func (std *standard) property(of, number uint32, name string, dataType uint32, read reading) *node {
	n := std.add(ua.NodeClassVariable, number, name)
	n.kind, n.dataType, n.read = id.PropertyType, dataType, read
	link(std.nodes[of], id.HasProperty, n)
	return n
}

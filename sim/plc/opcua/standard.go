package opcua

import (
	"sync"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// standard is the part of namespace 0 that the server has. It is the same for
// all servers and never changes; what differs is read through node.read.
type standard struct {
	nodes map[uint32]*node
	super map[uint32]uint32 // of each type
}

// standardNodes makes the standard nodes, once in a process.
var standardNodes = sync.OnceValue(func() *standard {
	std := &standard{nodes: map[uint32]*node{}, super: map[uint32]uint32{}}
	for _, t := range types {
		std.add(t.class, t.id, t.name).abstract = t.abstract
		if t.super != 0 {
			link(std.nodes[t.super], id.HasSubtype, std.nodes[t.id])
		}
		std.super[t.id] = t.super
		if t.class == ua.NodeClassReferenceType {
			std.nodes[t.id].inverse, std.nodes[t.id].symmetric = t.inverse, t.inverse == ""
		}
	}
	for _, o := range objects {
		n := std.add(ua.NodeClassObject, o.id, o.name)
		n.kind = o.kind
		if o.parent != 0 {
			link(std.nodes[o.parent], o.by, n)
		}
	}
	for folder, root := range map[uint32]uint32{
		id.ReferenceTypesFolder: id.References, id.DataTypesFolder: id.BaseDataType,
		id.ObjectTypesFolder: id.BaseObjectType, id.VariableTypesFolder: id.BaseVariableType,
	} {
		link(std.nodes[folder], id.Organizes, std.nodes[root])
	}
	for _, v := range variables {
		n := std.add(ua.NodeClassVariable, v.id, v.name)
		n.dataType, n.array, n.read, n.kind = v.dataType, v.array, v.read, v.kind
		by := uint32(id.HasProperty)
		if n.kind == 0 {
			n.kind = id.PropertyType
		} else {
			by = id.HasComponent
		}
		link(std.nodes[v.parent], by, n)
	}
	std.addDiagnostics()
	std.addCapabilities()
	std.addServerMethods()
	for _, m := range conditionMethods {
		n := std.add(ua.NodeClassMethod, m.id, m.Name)
		n.method = &m.Method
		link(std.nodes[m.parent], id.HasComponent, n)
		std.addArguments(m)
	}
	return std
})

func (std *standard) add(class ua.NodeClass, number uint32, name string) *node {
	n := &node{id: ua.NewNumericNodeID(0, number), name: name, class: class, typ: number, shared: true}
	if number <= 0xFFFF {
		n.id = ua.NewFourByteNodeID(0, uint16(number))
	}
	std.nodes[number] = n
	return n
}

// isA tells whether a type is another or below it.
func (std *standard) isA(typ, super uint32) bool {
	for ; typ != 0; typ = std.super[typ] {
		if typ == super {
			return true
		}
	}
	return false
}

// types are the type nodes, each after its supertype.
var types = []struct {
	class     ua.NodeClass
	id, super uint32
	name      string
	abstract  bool
	inverse   string
}{
	{ua.NodeClassReferenceType, id.References, 0, "References", true, ""},
	{ua.NodeClassReferenceType, id.NonHierarchicalReferences, id.References, "NonHierarchicalReferences", true, ""},
	{ua.NodeClassReferenceType, id.HierarchicalReferences, id.References, "HierarchicalReferences", true, "InverseHierarchicalReferences"},
	{ua.NodeClassReferenceType, id.HasChild, id.HierarchicalReferences, "HasChild", true, "ChildOf"},
	{ua.NodeClassReferenceType, id.Organizes, id.HierarchicalReferences, "Organizes", false, "OrganizedBy"},
	{ua.NodeClassReferenceType, id.HasEventSource, id.HierarchicalReferences, "HasEventSource", false, "EventSourceOf"},
	{ua.NodeClassReferenceType, id.HasNotifier, id.HasEventSource, "HasNotifier", false, "NotifierOf"},
	{ua.NodeClassReferenceType, id.Aggregates, id.HasChild, "Aggregates", true, "AggregatedBy"},
	{ua.NodeClassReferenceType, id.HasSubtype, id.HasChild, "HasSubtype", false, "SubtypeOf"},
	{ua.NodeClassReferenceType, id.HasProperty, id.Aggregates, "HasProperty", false, "PropertyOf"},
	{ua.NodeClassReferenceType, id.HasComponent, id.Aggregates, "HasComponent", false, "ComponentOf"},
	{ua.NodeClassReferenceType, id.HasOrderedComponent, id.HasComponent, "HasOrderedComponent", false, "OrderedComponentOf"},
	{ua.NodeClassReferenceType, id.HasAddIn, id.HasComponent, "HasAddIn", false, "AddInOf"},
	{ua.NodeClassReferenceType, id.HasModellingRule, id.NonHierarchicalReferences, "HasModellingRule", false, "ModellingRuleOf"},
	{ua.NodeClassReferenceType, id.HasEncoding, id.NonHierarchicalReferences, "HasEncoding", false, "EncodingOf"},
	{ua.NodeClassReferenceType, id.HasDescription, id.NonHierarchicalReferences, "HasDescription", false, "DescriptionOf"},
	{ua.NodeClassReferenceType, id.HasTypeDefinition, id.NonHierarchicalReferences, "HasTypeDefinition", false, "TypeDefinitionOf"},
	{ua.NodeClassReferenceType, id.GeneratesEvent, id.NonHierarchicalReferences, "GeneratesEvent", false, "GeneratedBy"},
	{ua.NodeClassReferenceType, id.HasCondition, id.NonHierarchicalReferences, "HasCondition", false, "IsConditionOf"},

	{ua.NodeClassDataType, id.BaseDataType, 0, "BaseDataType", true, ""},
	{ua.NodeClassDataType, id.Boolean, id.BaseDataType, "Boolean", false, ""},
	{ua.NodeClassDataType, id.Number, id.BaseDataType, "Number", true, ""},
	{ua.NodeClassDataType, id.Integer, id.Number, "Integer", true, ""},
	{ua.NodeClassDataType, id.SByte, id.Integer, "SByte", false, ""},
	{ua.NodeClassDataType, id.Int16, id.Integer, "Int16", false, ""},
	{ua.NodeClassDataType, id.Int32, id.Integer, "Int32", false, ""},
	{ua.NodeClassDataType, id.Int64, id.Integer, "Int64", false, ""},
	{ua.NodeClassDataType, id.UInteger, id.Number, "UInteger", true, ""},
	{ua.NodeClassDataType, id.Byte, id.UInteger, "Byte", false, ""},
	{ua.NodeClassDataType, id.UInt16, id.UInteger, "UInt16", false, ""},
	{ua.NodeClassDataType, id.UInt32, id.UInteger, "UInt32", false, ""},
	{ua.NodeClassDataType, id.UInt64, id.UInteger, "UInt64", false, ""},
	{ua.NodeClassDataType, id.Float, id.Number, "Float", false, ""},
	{ua.NodeClassDataType, id.Double, id.Number, "Double", false, ""},
	{ua.NodeClassDataType, id.Duration, id.Double, "Duration", false, ""},
	{ua.NodeClassDataType, id.String, id.BaseDataType, "String", false, ""},
	{ua.NodeClassDataType, id.LocaleID, id.String, "LocaleId", false, ""},
	{ua.NodeClassDataType, id.DateTime, id.BaseDataType, "DateTime", false, ""},
	{ua.NodeClassDataType, id.UtcTime, id.DateTime, "UtcTime", false, ""},
	{ua.NodeClassDataType, id.GUID, id.BaseDataType, "Guid", false, ""},
	{ua.NodeClassDataType, id.ByteString, id.BaseDataType, "ByteString", false, ""},
	{ua.NodeClassDataType, id.XMLElement, id.BaseDataType, "XmlElement", false, ""},
	{ua.NodeClassDataType, id.NodeID, id.BaseDataType, "NodeId", false, ""},
	{ua.NodeClassDataType, id.ExpandedNodeID, id.BaseDataType, "ExpandedNodeId", false, ""},
	{ua.NodeClassDataType, id.StatusCode, id.BaseDataType, "StatusCode", false, ""},
	{ua.NodeClassDataType, id.QualifiedName, id.BaseDataType, "QualifiedName", false, ""},
	{ua.NodeClassDataType, id.LocalizedText, id.BaseDataType, "LocalizedText", false, ""},
	{ua.NodeClassDataType, id.DataValue, id.BaseDataType, "DataValue", false, ""},
	{ua.NodeClassDataType, id.DiagnosticInfo, id.BaseDataType, "DiagnosticInfo", false, ""},
	{ua.NodeClassDataType, id.Structure, id.BaseDataType, "Structure", true, ""},
	{ua.NodeClassDataType, id.Range, id.Structure, "Range", false, ""},
	{ua.NodeClassDataType, id.EUInformation, id.Structure, "EUInformation", false, ""},
	{ua.NodeClassDataType, id.ServerDiagnosticsSummaryDataType, id.Structure, "ServerDiagnosticsSummaryDataType", false, ""},
	{ua.NodeClassDataType, id.SessionDiagnosticsDataType, id.Structure, "SessionDiagnosticsDataType", false, ""},
	{ua.NodeClassDataType, id.SessionSecurityDiagnosticsDataType, id.Structure, "SessionSecurityDiagnosticsDataType", false, ""},
	{ua.NodeClassDataType, id.SubscriptionDiagnosticsDataType, id.Structure, "SubscriptionDiagnosticsDataType", false, ""},
	{ua.NodeClassDataType, id.Argument, id.Structure, "Argument", false, ""},
	{ua.NodeClassDataType, id.BuildInfo, id.Structure, "BuildInfo", false, ""},
	{ua.NodeClassDataType, id.ServerStatusDataType, id.Structure, "ServerStatusDataType", false, ""},
	{ua.NodeClassDataType, id.Enumeration, id.BaseDataType, "Enumeration", true, ""},
	{ua.NodeClassDataType, id.ServerState, id.Enumeration, "ServerState", false, ""},
	{ua.NodeClassDataType, id.RedundancySupport, id.Enumeration, "RedundancySupport", false, ""},

	{ua.NodeClassObjectType, id.BaseObjectType, 0, "BaseObjectType", false, ""},
	{ua.NodeClassObjectType, id.BaseEventType, id.BaseObjectType, "BaseEventType", true, ""},
	{ua.NodeClassObjectType, id.SystemEventType, id.BaseEventType, "SystemEventType", true, ""},
	{ua.NodeClassObjectType, id.RefreshStartEventType, id.SystemEventType, "RefreshStartEventType", false, ""},
	{ua.NodeClassObjectType, id.RefreshEndEventType, id.SystemEventType, "RefreshEndEventType", false, ""},
	{ua.NodeClassObjectType, id.ConditionType, id.BaseEventType, "ConditionType", true, ""},
	{ua.NodeClassObjectType, id.AcknowledgeableConditionType, id.ConditionType, "AcknowledgeableConditionType", false, ""},
	{ua.NodeClassObjectType, id.AlarmConditionType, id.AcknowledgeableConditionType, "AlarmConditionType", false, ""},
	{ua.NodeClassObjectType, id.LimitAlarmType, id.AlarmConditionType, "LimitAlarmType", false, ""},
	{ua.NodeClassObjectType, id.ExclusiveLimitAlarmType, id.LimitAlarmType, "ExclusiveLimitAlarmType", false, ""},
	{ua.NodeClassObjectType, id.ExclusiveLevelAlarmType, id.ExclusiveLimitAlarmType, "ExclusiveLevelAlarmType", false, ""},
	{ua.NodeClassObjectType, id.StateMachineType, id.BaseObjectType, "StateMachineType", false, ""},
	{ua.NodeClassObjectType, id.FiniteStateMachineType, id.StateMachineType, "FiniteStateMachineType", true, ""},
	{ua.NodeClassObjectType, id.ShelvedStateMachineType, id.FiniteStateMachineType, "ShelvedStateMachineType", false, ""},
	{ua.NodeClassObjectType, id.ExclusiveLimitStateMachineType, id.FiniteStateMachineType, "ExclusiveLimitStateMachineType", false, ""},
	{ua.NodeClassObjectType, id.BaseConditionClassType, id.BaseObjectType, "BaseConditionClassType", true, ""},
	{ua.NodeClassObjectType, id.ProcessConditionClassType, id.BaseConditionClassType, "ProcessConditionClassType", true, ""},
	{ua.NodeClassObjectType, id.DataTypeEncodingType, id.BaseObjectType, "DataTypeEncodingType", false, ""},
	{ua.NodeClassObjectType, id.FolderType, id.BaseObjectType, "FolderType", false, ""},
	{ua.NodeClassObjectType, id.ServerType, id.BaseObjectType, "ServerType", false, ""},
	{ua.NodeClassObjectType, id.ServerCapabilitiesType, id.BaseObjectType, "ServerCapabilitiesType", false, ""},
	{ua.NodeClassObjectType, id.ServerDiagnosticsType, id.BaseObjectType, "ServerDiagnosticsType", false, ""},
	{ua.NodeClassObjectType, id.SessionsDiagnosticsSummaryType, id.BaseObjectType, "SessionsDiagnosticsSummaryType", false, ""},
	{ua.NodeClassObjectType, id.ServerRedundancyType, id.BaseObjectType, "ServerRedundancyType", false, ""},
	{ua.NodeClassObjectType, id.OperationLimitsType, id.FolderType, "OperationLimitsType", false, ""},

	{ua.NodeClassVariableType, id.BaseVariableType, 0, "BaseVariableType", true, ""},
	{ua.NodeClassVariableType, id.PropertyType, id.BaseVariableType, "PropertyType", false, ""},
	{ua.NodeClassVariableType, id.BaseDataVariableType, id.BaseVariableType, "BaseDataVariableType", false, ""},
	{ua.NodeClassVariableType, id.ServerStatusType, id.BaseDataVariableType, "ServerStatusType", false, ""},
	{ua.NodeClassVariableType, id.BuildInfoType, id.BaseDataVariableType, "BuildInfoType", false, ""},
	{ua.NodeClassVariableType, id.ServerDiagnosticsSummaryType, id.BaseDataVariableType, "ServerDiagnosticsSummaryType", false, ""},
	{ua.NodeClassVariableType, id.SessionDiagnosticsArrayType, id.BaseDataVariableType, "SessionDiagnosticsArrayType", false, ""},
	{ua.NodeClassVariableType, id.SessionSecurityDiagnosticsArrayType, id.BaseDataVariableType, "SessionSecurityDiagnosticsArrayType", false, ""},
	{ua.NodeClassVariableType, id.SubscriptionDiagnosticsArrayType, id.BaseDataVariableType, "SubscriptionDiagnosticsArrayType", false, ""},
	{ua.NodeClassVariableType, id.StateVariableType, id.BaseDataVariableType, "StateVariableType", false, ""},
	{ua.NodeClassVariableType, id.FiniteStateVariableType, id.StateVariableType, "FiniteStateVariableType", false, ""},
	{ua.NodeClassVariableType, id.TwoStateVariableType, id.StateVariableType, "TwoStateVariableType", false, ""},
	{ua.NodeClassVariableType, id.ConditionVariableType, id.BaseDataVariableType, "ConditionVariableType", false, ""},
	{ua.NodeClassVariableType, id.DataItemType, id.BaseDataVariableType, "DataItemType", false, ""},
	{ua.NodeClassVariableType, id.BaseAnalogType, id.DataItemType, "BaseAnalogType", false, ""},
	{ua.NodeClassVariableType, id.AnalogItemType, id.BaseAnalogType, "AnalogItemType", false, ""},
}

// objects are the object nodes, each after its parent.
var objects = []struct {
	id, parent, by, kind uint32
	name                 string
}{
	{id.RootFolder, 0, 0, id.FolderType, "Root"},
	{id.ObjectsFolder, id.RootFolder, id.Organizes, id.FolderType, "Objects"},
	{id.TypesFolder, id.RootFolder, id.Organizes, id.FolderType, "Types"},
	{id.ViewsFolder, id.RootFolder, id.Organizes, id.FolderType, "Views"},
	{id.ObjectTypesFolder, id.TypesFolder, id.Organizes, id.FolderType, "ObjectTypes"},
	{id.VariableTypesFolder, id.TypesFolder, id.Organizes, id.FolderType, "VariableTypes"},
	{id.DataTypesFolder, id.TypesFolder, id.Organizes, id.FolderType, "DataTypes"},
	{id.ReferenceTypesFolder, id.TypesFolder, id.Organizes, id.FolderType, "ReferenceTypes"},
	{id.Server, id.ObjectsFolder, id.Organizes, id.ServerType, "Server"},
	{id.Server_ServerCapabilities, id.Server, id.HasComponent, id.ServerCapabilitiesType, "ServerCapabilities"},
	{id.Server_ServerCapabilities_OperationLimits, id.Server_ServerCapabilities, id.HasComponent, id.OperationLimitsType, "OperationLimits"},
	{id.Server_ServerDiagnostics, id.Server, id.HasComponent, id.ServerDiagnosticsType, "ServerDiagnostics"},
	{id.AlarmConditionType_ShelvingState, id.AlarmConditionType, id.HasComponent, id.ShelvedStateMachineType, "ShelvingState"},
	{id.Server_ServerRedundancy, id.Server, id.HasComponent, id.ServerRedundancyType, "ServerRedundancy"},
}

type reading = func(*Server, time.Time) any

func constant(v any) reading { return func(*Server, time.Time) any { return v } }

func limit(f func(*Limits) int) reading {
	return func(s *Server, _ time.Time) any { return uint32(f(&s.cfg.Limits)) }
}

var operationLimit = limit(func(l *Limits) int { return l.Operations })

// variables are the variable nodes, each after its parent; those without a
// kind are properties.
var variables = []struct {
	id, parent uint32
	name       string
	dataType   uint32
	array      bool
	kind       uint32
	read       reading
}{
	{id.Server_ServerArray, id.Server, "ServerArray", id.String, true, 0, func(s *Server, _ time.Time) any { return []string{s.cfg.ApplicationURI} }},
	{id.Server_NamespaceArray, id.Server, "NamespaceArray", id.String, true, 0, func(s *Server, _ time.Time) any { return s.space().names }},
	{id.Server_ServiceLevel, id.Server, "ServiceLevel", id.Byte, false, 0, constant(byte(255))},
	{id.Server_Auditing, id.Server, "Auditing", id.Boolean, false, 0, constant(false)},
	{id.Server_ServerStatus, id.Server, "ServerStatus", id.ServerStatusDataType, false, id.ServerStatusType, func(s *Server, now time.Time) any { return ua.NewExtensionObject(s.status(now)) }},
	{id.Server_ServerStatus_StartTime, id.Server_ServerStatus, "StartTime", id.UtcTime, false, id.BaseDataVariableType, func(s *Server, now time.Time) any { return s.start }},
	{id.Server_ServerStatus_CurrentTime, id.Server_ServerStatus, "CurrentTime", id.UtcTime, false, id.BaseDataVariableType, func(_ *Server, now time.Time) any { return now }},
	{id.Server_ServerStatus_State, id.Server_ServerStatus, "State", id.ServerState, false, id.BaseDataVariableType, constant(int32(ua.ServerStateRunning))},
	{id.Server_ServerStatus_BuildInfo, id.Server_ServerStatus, "BuildInfo", id.BuildInfo, false, id.BuildInfoType, constant(ua.NewExtensionObject(buildInfo()))},
	{id.Server_ServerStatus_SecondsTillShutdown, id.Server_ServerStatus, "SecondsTillShutdown", id.UInt32, false, id.BaseDataVariableType, constant(uint32(0))},
	{id.Server_ServerStatus_ShutdownReason, id.Server_ServerStatus, "ShutdownReason", id.LocalizedText, false, id.BaseDataVariableType, constant(ua.NewLocalizedText(""))},
	{id.Server_ServerStatus_BuildInfo_ProductURI, id.Server_ServerStatus_BuildInfo, "ProductUri", id.String, false, id.BaseDataVariableType, constant(buildInfo().ProductURI)},
	{id.Server_ServerStatus_BuildInfo_ManufacturerName, id.Server_ServerStatus_BuildInfo, "ManufacturerName", id.String, false, id.BaseDataVariableType, constant(buildInfo().ManufacturerName)},
	{id.Server_ServerStatus_BuildInfo_ProductName, id.Server_ServerStatus_BuildInfo, "ProductName", id.String, false, id.BaseDataVariableType, constant(buildInfo().ProductName)},
	{id.Server_ServerStatus_BuildInfo_SoftwareVersion, id.Server_ServerStatus_BuildInfo, "SoftwareVersion", id.String, false, id.BaseDataVariableType, constant(buildInfo().SoftwareVersion)},
	{id.Server_ServerStatus_BuildInfo_BuildNumber, id.Server_ServerStatus_BuildInfo, "BuildNumber", id.String, false, id.BaseDataVariableType, constant(buildInfo().BuildNumber)},
	{id.Server_ServerStatus_BuildInfo_BuildDate, id.Server_ServerStatus_BuildInfo, "BuildDate", id.UtcTime, false, id.BaseDataVariableType, constant(buildInfo().BuildDate)},

	{id.Server_ServerDiagnostics_EnabledFlag, id.Server_ServerDiagnostics, "EnabledFlag", id.Boolean, false, 0, constant(true)},
	{id.Server_ServerRedundancy_RedundancySupport, id.Server_ServerRedundancy, "RedundancySupport", id.RedundancySupport, false, 0, constant(int32(0))},

	{id.Server_ServerCapabilities_ServerProfileArray, id.Server_ServerCapabilities, "ServerProfileArray", id.String, true, 0, constant([]string{"http://opcfoundation.org/UA-Profile/Server/EmbeddedUA2017"})},
	{id.Server_ServerCapabilities_LocaleIDArray, id.Server_ServerCapabilities, "LocaleIdArray", id.LocaleID, true, 0, constant([]string{"en"})},
	{id.Server_ServerCapabilities_MinSupportedSampleRate, id.Server_ServerCapabilities, "MinSupportedSampleRate", id.Duration, false, 0, func(s *Server, _ time.Time) any { return s.fastest() }},
	{id.Server_ServerCapabilities_MaxBrowseContinuationPoints, id.Server_ServerCapabilities, "MaxBrowseContinuationPoints", id.UInt16, false, 0, func(s *Server, _ time.Time) any { return uint16(s.cfg.Limits.Continuations) }},
	{id.Server_ServerCapabilities_MaxQueryContinuationPoints, id.Server_ServerCapabilities, "MaxQueryContinuationPoints", id.UInt16, false, 0, constant(uint16(0))},
	{id.Server_ServerCapabilities_MaxHistoryContinuationPoints, id.Server_ServerCapabilities, "MaxHistoryContinuationPoints", id.UInt16, false, 0, func(s *Server, _ time.Time) any { return uint16(s.cfg.Limits.Continuations) }},

	{id.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead, id.Server_ServerCapabilities_OperationLimits, "MaxNodesPerRead", id.UInt32, false, 0, operationLimit},
	{id.Server_ServerCapabilities_OperationLimits_MaxNodesPerWrite, id.Server_ServerCapabilities_OperationLimits, "MaxNodesPerWrite", id.UInt32, false, 0, operationLimit},
	{id.Server_ServerCapabilities_OperationLimits_MaxNodesPerMethodCall, id.Server_ServerCapabilities_OperationLimits, "MaxNodesPerMethodCall", id.UInt32, false, 0, operationLimit},
	{id.Server_ServerCapabilities_OperationLimits_MaxNodesPerHistoryReadData, id.Server_ServerCapabilities_OperationLimits, "MaxNodesPerHistoryReadData", id.UInt32, false, 0, operationLimit},
	{id.Server_ServerCapabilities_OperationLimits_MaxNodesPerBrowse, id.Server_ServerCapabilities_OperationLimits, "MaxNodesPerBrowse", id.UInt32, false, 0, operationLimit},
	{id.Server_ServerCapabilities_OperationLimits_MaxNodesPerRegisterNodes, id.Server_ServerCapabilities_OperationLimits, "MaxNodesPerRegisterNodes", id.UInt32, false, 0, operationLimit},
	{id.Server_ServerCapabilities_OperationLimits_MaxNodesPerTranslateBrowsePathsToNodeIDs, id.Server_ServerCapabilities_OperationLimits, "MaxNodesPerTranslateBrowsePathsToNodeIds", id.UInt32, false, 0, operationLimit},
	{id.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall, id.Server_ServerCapabilities_OperationLimits, "MaxMonitoredItemsPerCall", id.UInt32, false, 0, operationLimit},
}

// buildInfo says what serves.
func buildInfo() *ua.BuildInfo {
	return &ua.BuildInfo{
		ProductURI: productURI, ManufacturerName: "Plantbed", ProductName: "Plantbed PLC",
		SoftwareVersion: "1", BuildNumber: "1", BuildDate: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

func (s *Server) status(now time.Time) *ua.ServerStatusDataType {
	return &ua.ServerStatusDataType{
		StartTime: s.start, CurrentTime: now, State: ua.ServerStateRunning,
		BuildInfo: buildInfo(), ShutdownReason: ua.NewLocalizedText(""),
	}
}

// fastest is the shortest period of a task, in milliseconds.
func (s *Server) fastest() float64 {
	var least float64
	for _, t := range s.img.Tasks() {
		if p := float64(t.Period) / 1e6; least == 0 || p < least {
			least = p
		}
	}
	return least
}
